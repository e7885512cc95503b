package dev.tributary.consumer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import javax.sql.DataSource;

/** A data source that fails in its own way while it is told to. */
public final class FailingDataSource {
    private final DataSource real;
    private volatile Throwable failure;

    public FailingDataSource(DataSource real) {
        this.real = real;
    }

    public DataSource dataSource() {
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    Throwable thrown = failure;
                    if (thrown != null) {
                        throw thrown;
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    /** From now on. */
    public void failsWith(Throwable thrown) {
        failure = thrown;
    }

    public void works() {
        failure = null;
    }
}
