#!/usr/bin/env bash
# For the cluster of <@ owner | line @>
