package dev.tributary.samples.fulfilment;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;
import java.util.UUID;

/** What fulfilment needs of sales' {@code order.placed.v1}: what to send and for whom; prices may come and go. */
@JsonIgnoreProperties(ignoreUnknown = true)
record OrderPlaced(UUID orderId, UUID customerId, List<Item> lines) {}
