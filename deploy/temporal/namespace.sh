#!/bin/sh
# Makes the namespace and the search attributes that Fairlead's workflows carry; running it again changes nothing.
set -eu
temporal operator namespace describe default >/dev/null 2>&1 || temporal operator namespace create --retention 72h default
for attribute in FairleadProject FairleadEnvironment FairleadRelease FairleadState; do
  temporal operator search-attribute create --name "$attribute" --type Keyword || true
done
