# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca web
cat web.pem web.key >all.pem
chmod 600 all.pem
key web.key
chmod 600 web.key
