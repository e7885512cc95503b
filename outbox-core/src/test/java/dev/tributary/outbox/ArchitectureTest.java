package dev.tributary.outbox;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.tributary.outbox", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    /** A list of what is allowed: a new library is a decision. */
    @ArchTest
    static final ArchRule coreNeedsNoFramework = classes()
            .that()
            .resideOutsideOfPackage("..outbox.micronaut..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "dev.tributary.outbox",
                    "dev.tributary.outbox.wire",
                    "dev.tributary.outbox.schema",
                    "dev.tributary.outbox.aggregate",
                    "dev.tributary.outbox.retention",
                    "com.fasterxml.jackson..",
                    "com.fasterxml.uuid..",
                    "org.jspecify.annotations");

    @ArchTest
    static final ArchRule wireDependsOnNothingOfOurs = classes()
            .that()
            .resideInAPackage("dev.tributary.outbox.wire")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..", "com.fasterxml.jackson..", "org.jspecify.annotations", "dev.tributary.outbox.wire");

    @ArchTest
    static final ArchRule nothingKnowsKafka = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "dev.tributary.relay..");
}
