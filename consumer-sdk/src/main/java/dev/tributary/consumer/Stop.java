package dev.tributary.consumer;

/** Why a partition stops, and what people can do about it. */
record Stop(String reason, String remedy) {}
