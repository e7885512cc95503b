package dev.tributary.outbox.schema;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.Version;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.fasterxml.jackson.databind.introspect.NopAnnotationIntrospector;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** Tells Jackson which components a record cannot be without, from what the record itself says of them. */
final class RequiredComponents extends NopAnnotationIntrospector {
    private static final long serialVersionUID = 1;
    private static final Set<Class<?>> OPTIONALS =
            Set.of(Optional.class, OptionalInt.class, OptionalLong.class, OptionalDouble.class);

    static final class Module extends SimpleModule {
        private static final long serialVersionUID = 1;

        Module() {
            super("tributary-required-components", Version.unknownVersion());
        }

        @Override
        public void setupModule(SetupContext context) {
            context.insertAnnotationIntrospector(new RequiredComponents());
        }
    }

    @Override
    public @Nullable Boolean hasRequiredMarker(AnnotatedMember member) {
        return isRequired(member) ? Boolean.TRUE : null;
    }

    /** What is not there is not the only way of lacking: there is also JSON null. */
    @Override
    public JsonSetter.Value findSetterInfo(Annotated member) {
        return isRequired(member) ? JsonSetter.Value.forValueNulls(Nulls.FAIL) : JsonSetter.Value.empty();
    }

    private static boolean isRequired(Annotated member) {
        if (!(member instanceof AnnotatedParameter parameter) || member.hasAnnotation(JsonSetter.class)) {
            return false;
        }
        RecordComponent component = component(parameter);
        if (component == null) {
            return false;
        }
        return component.getType().isPrimitive()
                || (isNullMarked(component.getDeclaringRecord())
                        && !OPTIONALS.contains(component.getType())
                        && !isNullable(component));
    }

    private static @Nullable RecordComponent component(AnnotatedParameter parameter) {
        if (!(parameter.getOwner().getMember() instanceof Constructor<?> constructor)
                || !constructor.getDeclaringClass().isRecord()) {
            return null;
        }
        RecordComponent[] components = constructor.getDeclaringClass().getRecordComponents();
        boolean canonical = Arrays.equals(
                constructor.getParameterTypes(),
                Stream.of(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
        return canonical ? components[parameter.getIndex()] : null;
    }

    /** Whosever annotation it is: there are many of that name. */
    private static boolean isNullable(RecordComponent component) {
        return Stream.of(component, component.getAnnotatedType(), component.getAccessor())
                .map(AnnotatedElement::getAnnotations)
                .flatMap(Stream::of)
                .map(Annotation::annotationType)
                .anyMatch(annotation -> annotation.getSimpleName().equals("Nullable"));
    }

    private static boolean isNullMarked(Class<?> record) {
        for (Class<?> scope = record; scope != null; scope = scope.getEnclosingClass()) {
            if (scope.isAnnotationPresent(NullMarked.class)) {
                return true;
            }
            if (scope.isAnnotationPresent(NullUnmarked.class)) {
                return false;
            }
        }
        Package home = record.getPackage();
        return home.isAnnotationPresent(NullMarked.class)
                || (!home.isAnnotationPresent(NullUnmarked.class)
                        && record.getModule().isAnnotationPresent(NullMarked.class));
    }
}
