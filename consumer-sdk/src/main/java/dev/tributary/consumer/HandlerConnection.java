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
        switch (method.getName()) {
            case "close":
                // Libraries close what they are lent; the subscription closes it in the end
                return null;
            case "commit", "abort", "setTransactionIsolation", "setReadOnly":
                throw refused(method);
            case "setAutoCommit":
                if (args != null && Boolean.TRUE.equals(args[0])) {
                    throw refused(method);
                }
                return null;
            case "rollback":
                if (args == null) {
                    throw refused(method);
                }
                break;
            default:
                break;
        }
        try {
            return method.invoke(connection, args);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }

    private static IllegalStateException refused(Method method) {
        return new IllegalStateException("a handler must not call Connection." + method.getName()
                + "(): the subscription ends the transaction, with the event's position in it");
    }
}
