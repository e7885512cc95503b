/**
 * The command line: {@link dev.tributary.relay.cli.RelayCommand} and one class for each command. Wires configuration,
 * setup, running sources and HTTP together, and turns what goes wrong into plain words and exit codes: 0 done, 1 failed,
 * 2 bad usage or configuration.
 */
@NullMarked
package dev.tributary.relay.cli;

import org.jspecify.annotations.NullMarked;
