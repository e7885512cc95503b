package dev.tributary.consumer.view;

/** What a view's version is for. */
public enum VersionState {
    /** Being built from history, and kept up with the events once it has caught up. */
    BUILDING,
    /** The one that readers' names lead to. */
    LIVE,
    /** Was live, and is kept up with the events so that it can be again. */
    PREVIOUS,
    /** Given up while it was built; its tables are gone. */
    ABORTED,
    /** Not needed any more; its tables are gone. */
    RETIRED;

    /** Whether it has tables, and events are applied to them. */
    public boolean isFed() {
        return this == BUILDING || this == LIVE || this == PREVIOUS;
    }
}
