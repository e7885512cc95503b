/** Embedded PostgreSQL and Kafka, shared by the demo, the tests and a developer's own work. */
@NullMarked
package dev.tributary.localstack;

import org.jspecify.annotations.NullMarked;
