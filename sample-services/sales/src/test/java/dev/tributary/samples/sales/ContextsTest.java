package dev.tributary.samples.sales;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.tributary.samples.sales", importOptions = DoNotIncludeTests.class)
class ContextsTest {
    @ArchTest
    static final ArchRule contexts_do_not_know_each_other =
            slices().matching("dev.tributary.samples.sales.(*)..").should().notDependOnEachOther();
}
