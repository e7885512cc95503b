package dev.tributary.relay.setup;

import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tells whether a database has what outbox-core's scripts create, functions to the letter, so that nothing is run, and
 * no lock taken, on a database that needs nothing.
 */
final class OutboxObjects {
    private static final Pattern RELATION =
            Pattern.compile("CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) tributary\\.(\\w+)");
    private static final Pattern FUNCTION =
            Pattern.compile("CREATE OR REPLACE FUNCTION tributary\\.(\\w+)\\(.*?\\$\\$(.*?)\\$\\$", Pattern.DOTALL);
    private static final Pattern TRIGGER =
            Pattern.compile("CREATE OR REPLACE TRIGGER (\\w+)\\s.*?\\sON tributary\\.(\\w+)", Pattern.DOTALL);

    private OutboxObjects() {}

    /** What is missing, or is not what this version would create; in words, in order. */
    static List<String> missing(Connection connection) throws SQLException {
        List<String> there = Database.texts(connection, """
                SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = to_regnamespace('tributary')
                UNION ALL
                SELECT 'function ' || proname || ' ' || prosrc FROM pg_proc
                WHERE pronamespace = to_regnamespace('tributary')
                UNION ALL
                SELECT 'trigger ' || tgname || ' on ' || relname
                FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                WHERE relnamespace = to_regnamespace('tributary')
                """);
        Set<String> missing = wanted();
        there.forEach(missing::remove);
        return missing.stream()
                .map(object ->
                        object.startsWith("function ") ? object.replaceFirst("(?s)(function \\w+) .*", "$1") : object)
                .toList();
    }

    private static Set<String> wanted() {
        Set<String> wanted = new TreeSet<>();
        for (String script : OutboxSchema.scripts()) {
            find(RELATION, script, m -> wanted.add("relation " + m.group(1)));
            find(FUNCTION, script, m -> wanted.add("function " + m.group(1) + " " + m.group(2)));
            find(TRIGGER, script, m -> wanted.add("trigger " + m.group(1) + " on " + m.group(2)));
        }
        return wanted;
    }

    private static void find(Pattern pattern, String script, java.util.function.Consumer<Matcher> each) {
        Matcher matcher = pattern.matcher(script);
        while (matcher.find()) {
            each.accept(matcher);
        }
    }
}
