package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The driver puts TLS over the socket that reads ahead. By itself it uses TLS wherever the server offers it. */
class PgOutputSourceOverTlsIT extends PgOutputSourceIT {
    private static final String SECRET = "changeit";

    @BeforeAll
    static void offerTls(@TempDir Path directory) throws Exception {
        KeyStore keys = keys(directory.resolve("keys.p12"));
        String database = LocalPostgres.shared().createDatabase("tls");
        try (Connection connection = LocalPostgres.shared().connect(database);
                Statement statement = connection.createStatement()) {
            byte[] key = keys.getKey("server", SECRET.toCharArray()).getEncoded();
            byte[] certificate = keys.getCertificate("server").getEncoded();
            statement.execute(write("server.key", pem("PRIVATE KEY", key)));
            statement.execute(write("server.crt", pem("CERTIFICATE", certificate)));
            statement.execute("ALTER SYSTEM SET ssl = on");
            statement.execute("SELECT pg_reload_conf()");
        }
        await().until(() -> usesTls(database));
    }

    @AfterAll
    static void noMore() throws SQLException {
        String database = LocalPostgres.shared().createDatabase("tls");
        try (Connection connection = LocalPostgres.shared().connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER SYSTEM RESET ssl");
            statement.execute("SELECT pg_reload_conf()");
        }
    }

    @Test
    void theStreamIsEncrypted() throws SQLException {
        try (ChangeSource source = open();
                Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT ssl FROM pg_stat_ssl JOIN pg_replication_slots"
                        + " ON active_pid = pid WHERE slot_name = '" + database.config.slot() + "'")) {
            assertThat(source.caughtUpTo()).isPositive();
            assertThat(row.next()).isTrue();
            assertThat(row.getBoolean(1)).isTrue();
        }
    }

    private static boolean usesTls(String database) throws SQLException {
        try (Connection connection = LocalPostgres.shared().connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** By the server itself, which may be another user, into its directory. */
    private static String write(String file, String text) {
        return "COPY (SELECT unnest(string_to_array('" + text + "', E'\\n'))) TO PROGRAM 'umask 077; cat > " + file
                + "'";
    }

    private static String pem(String what, byte[] bytes) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----";
    }

    private static KeyStore keys(Path file) throws IOException, InterruptedException, GeneralSecurityException {
        Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        Process process = new ProcessBuilder(
                        keytool.toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-alias",
                        "server",
                        "-dname",
                        "CN=localhost",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        SECRET,
                        "-keystore",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, SECRET.toCharArray());
        }
        return keys;
    }
}
