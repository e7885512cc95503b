package dev.tributary.relay;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.onlyDependOnClassesThat;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom in the relay. */
@AnalyzeClasses(packages = "dev.tributary.relay", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String RELAY = "dev.tributary.relay";
    private static final String SOURCE = RELAY + ".source..";
    private static final String ROUTING = RELAY + ".routing..";
    private static final String SINK = RELAY + ".sink..";
    private static final String PROGRESS = RELAY + ".progress..";
    private static final String CONFIG = RELAY + ".config..";
    private static final String RUNNING = RELAY + ".running..";
    private static final String HTTP = RELAY + ".http..";
    private static final String METRICS = RELAY + ".metrics..";
    private static final String SETUP = RELAY + ".setup..";
    private static final String CLI = RELAY + ".cli..";

    @ArchTest
    static final ArchRule noCycles =
            slices().matching(RELAY + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule sourceKnowsNoOtherStage = stage(SOURCE, ROUTING, SINK, PROGRESS);

    @ArchTest
    static final ArchRule routingKnowsNoOtherStage = stage(ROUTING, SOURCE, SINK, PROGRESS);

    @ArchTest
    static final ArchRule sinkKnowsNoOtherStage = stage(SINK, SOURCE, ROUTING, PROGRESS);

    @ArchTest
    static final ArchRule progressKnowsNoOtherStage = stage(PROGRESS, SOURCE, ROUTING, SINK);

    /** In the root package Relay wires the stages; all around it they are out of sight. */
    @ArchTest
    static final ArchRule onlyTheRootWiresStages = noClasses()
            .that()
            .resideInAnyPackage(CONFIG, RUNNING, HTTP, METRICS, SETUP, CLI)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(SOURCE, ROUTING, SINK, PROGRESS);

    @ArchTest
    static final ArchRule configKnowsNothingElse = knowsOnly(CONFIG);

    @ArchTest
    static final ArchRule setupKnowsOnlyConfig = knowsOnly(SETUP, CONFIG);

    @ArchTest
    static final ArchRule runningKnowsOnlyTheRootAndConfig = knowsOnly(RUNNING, RELAY, CONFIG);

    @ArchTest
    static final ArchRule httpOnlyReadsStatuses = knowsOnly(HTTP, RELAY, RUNNING, CONFIG);

    @ArchTest
    static final ArchRule metricsOnlyReadStatuses = knowsOnly(METRICS, RELAY, RUNNING);

    @ArchTest
    static final ArchRule nobodyKnowsTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackage(CLI)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(CLI);

    /** So that the engine can be built into something else, and commands that need no server start none. */
    @ArchTest
    static final ArchRule micronautStaysAtTheEdge = noClasses()
            .that()
            .resideOutsideOfPackages(HTTP, METRICS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micronaut..", "io.micrometer..");

    /** So that nobody who does not ask for it pays for it. */
    @ArchTest
    static final ArchRule debeziumStaysInItsPackage = noClasses()
            .that()
            .resideOutsideOfPackage(RELAY + ".source.debezium..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.debezium..", "org.apache.kafka.connect..");

    private static ArchRule stage(String stage, String... others) {
        return noClasses()
                .that()
                .resideInAPackage(stage)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage(RELAY);
    }

    private static ArchRule knowsOnly(String own, String... others) {
        DescribedPredicate<JavaClass> known = resideInAPackage(own).or(resideInAnyPackage(others));
        DescribedPredicate<JavaClass> foreign = DescribedPredicate.not(resideInAPackage(RELAY + ".."));
        return classes().that().resideInAPackage(own).should(onlyDependOnClassesThat(known.or(foreign)));
    }
}
