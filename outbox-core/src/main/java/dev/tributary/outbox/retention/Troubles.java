package dev.tributary.outbox.retention;

/** What kept a turn from its work: the first thing that did, unless there is a deeper cause. Used by one thread. */
final class Troubles {
    private String reason = "";
    private String remedy = "";

    void add(String reason, String remedy) {
        if (this.reason.isEmpty()) {
            this.reason = reason;
            this.remedy = remedy;
        }
    }

    /** The cause of it all, whatever else was in the way. */
    void replace(String reason, String remedy) {
        this.reason = reason;
        this.remedy = remedy;
    }

    String reason() {
        return reason;
    }

    String remedy() {
        return remedy;
    }
}
