package dev.tributary.consumer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import javax.sql.DataSource;

/** Holds transactions where it hurts most: everything is done, and only the commit is missing. */
public final class CommitHook {
    private CommitHook() {}

    /** A data source whose connections do something before each commit. */
    public static DataSource before(DataSource dataSource, Runnable action) {
        return proxy(
                DataSource.class,
                dataSource,
                "getConnection",
                connection -> proxy(Connection.class, (Connection) connection, "commit", null, action),
                () -> {});
    }

    private interface Wrap {
        Object wrap(Object result);
    }

    private static <T> T proxy(Class<T> type, T target, String method, Wrap result, Runnable before) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, called, args) -> {
            boolean meant = called.getName().equals(method);
            if (meant) {
                before.run();
            }
            try {
                Object value = called.invoke(target, args);
                return meant && result != null ? result.wrap(value) : value;
            } catch (InvocationTargetException e) {
                throw e.getTargetException();
            }
        }));
    }
}
