#!/bin/sh
# Builds what the demo needs and runs it: sample-services/demo/run.sh [--keep-running] [--orders N] [--seconds N]
set -e
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# Tests, static analysis and format have commands of their own (README.md); this is about the running thing
./mvnw -B -q -T 2 -pl sample-services/demo -am package \
  -Dmaven.test.skip=true -Dspotless.check.skip=true -Denforcer.skip=true
exec java -jar sample-services/demo/target/demo.jar "$@"
