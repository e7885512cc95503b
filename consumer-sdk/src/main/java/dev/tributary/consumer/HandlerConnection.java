package dev.tributary.consumer;

import dev.tributary.outbox.wire.RebuildableConnection;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import org.jspecify.annotations.Nullable;

/** The connection that handlers get: everything but ending the transaction, which is the subscription's to do. */
final class HandlerConnection implements InvocationHandler {
    private final Connection connection;
    private final @Nullable String schema;

    private HandlerConnection(Connection connection, @Nullable String schema) {
        this.connection = connection;
        this.schema = schema;
    }

    /** @param schema where bare table names are looked up, if the tables can be built anew; else null */
    static Connection guard(Connection connection, @Nullable String schema) {
        return (Connection) Proxy.newProxyInstance(
                HandlerConnection.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                new HandlerConnection(connection, schema));
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
        if (schema != null && method.getName().equals("isWrapperFor") && isMarker(args)) {
            return true;
        }
        try {
            return method.invoke(connection, schema == null ? args : marked(method, args, schema));
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }

    private static boolean isMarker(Object @Nullable [] args) {
        return args != null && args[0] == RebuildableConnection.class;
    }

    /**
     * The same statement has a text of its own for each schema, so that the driver, which keeps prepared statements by
     * their text, never has one planned for a schema run in another: PostgreSQL would plan it anew each time, and refuse
     * it where the columns differ.
     */
    private static Object @Nullable [] marked(Method method, Object @Nullable [] args, String schema) {
        boolean prepares =
                method.getName().equals("prepareStatement") || method.getName().equals("prepareCall");
        if (!prepares || args == null) {
            return args;
        }
        Object[] marked = args.clone();
        marked[0] = "/* " + schema + " */ " + args[0];
        return marked;
    }
}
