package dev.tributary.consumer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.tributary.consumer", importOptions = DoNotIncludeTests.class)
class BoundariesTest {
    @ArchTest
    static final ArchRule MICRONAUT_STAYS_IN_ITS_PACKAGE = noClasses()
            .that()
            .resideOutsideOfPackage("..micronaut..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micronaut..", "io.micrometer..", "jakarta..");

    @ArchTest
    static final ArchRule CONSUMER_KNOWS_ONLY_THE_WIRE_FORMAT_AND_HOW_IT_IS_READ = noClasses()
            .that()
            .resideInAPackage("dev.tributary.consumer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.tributary.relay..", "dev.tributary.outbox", "dev.tributary.outbox.micronaut..");

    @ArchTest
    static final ArchRule CORE_DOES_NOT_KNOW_THE_INTEGRATION = noClasses()
            .that()
            .resideInAPackage("dev.tributary.consumer")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.tributary.consumer.micronaut", "dev.tributary.consumer.view");
}
