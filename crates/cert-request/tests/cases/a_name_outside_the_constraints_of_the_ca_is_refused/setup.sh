# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca 3650 basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign \
    'nameConstraints=critical,permitted;DNS:example.com'
