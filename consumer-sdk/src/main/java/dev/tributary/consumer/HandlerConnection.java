package dev.tributary.consumer;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import org.jspecify.annotations.Nullable;

/** The connection that handlers get: everything but ending the transaction, which is the subscription's to do. */
final class HandlerConnection implements InvocationHandler {
    private final Connection connection;

    private HandlerConnection(Connection connection) {
        this.connection = connection;
    }

    static Connection guard(Connection connection) {
        return (Connection) Proxy.newProxyInstance(
                HandlerConnection.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                new HandlerConnection(connection));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] args) throws Throwable {
        boolean endsTransaction =
                switch (method.getName()) {
                    case "commit", "abort", "setTransactionIsolation", "setReadOnly" -> true;
                    case "rollback" -> args == null;
                    case "setAutoCommit" -> args != null && Boolean.TRUE.equals(args[0]);
                    default -> false;
                };
        if (endsTransaction) {
            throw new IllegalStateException("a handler must not call Connection." + method.getName()
                    + "(): the subscription ends the transaction, with the event's position in it");
        }
        if (method.getName().equals("close") || method.getName().equals("setAutoCommit")) {
            // Libraries close what they are lent; the subscription closes it in the end
            return null;
        }
        try {
            return method.invoke(connection, args);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }
}
