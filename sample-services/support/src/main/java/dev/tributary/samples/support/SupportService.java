package dev.tributary.samples.support;

import io.micronaut.runtime.Micronaut;

/** Answers what a customer asks about: who they are, what they ordered, where it is. */
public final class SupportService {
    private SupportService() {}

    public static void main(String[] args) {
        Micronaut.run(SupportService.class, args);
    }
}
