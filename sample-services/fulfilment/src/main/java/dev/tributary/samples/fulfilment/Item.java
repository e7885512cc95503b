package dev.tributary.samples.fulfilment;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.micronaut.core.annotation.Introspected;

/** So many of a product to be packed. */
@Introspected
@JsonIgnoreProperties(ignoreUnknown = true)
public record Item(String product, int quantity) {}
