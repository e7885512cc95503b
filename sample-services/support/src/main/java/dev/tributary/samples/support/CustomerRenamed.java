package dev.tributary.samples.support;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.UUID;

/** What support needs of sales' {@code customer.renamed.v2}. */
@JsonIgnoreProperties(ignoreUnknown = true)
record CustomerRenamed(UUID customerId, String newName) {}
