# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca web
cat ca/ca.pem >>web.pem
