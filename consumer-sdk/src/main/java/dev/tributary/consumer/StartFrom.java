package dev.tributary.consumer;

/** Where a subscription starts in a partition that its database knows no position for. */
public enum StartFrom {
    /** With the oldest event that Kafka still has. */
    EARLIEST,
    /** With what comes after the subscription first sees the partition. */
    LATEST
}
