#!/bin/sh
# Builds what the demo needs and runs it: sample-services/demo/run.sh [--keep-running] [--orders N] [--seconds N]
set -e
cd "$(dirname "$0")/../.."
# For a short life, the JVM's quick compiler is the quicker one
QUICK="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
MAVEN_OPTS="$QUICK $MAVEN_OPTS" ./mvnw -B -q -T 2 -pl sample-services/demo -am package -Dquick
exec java $QUICK -jar sample-services/demo/target/demo.jar "$@"
