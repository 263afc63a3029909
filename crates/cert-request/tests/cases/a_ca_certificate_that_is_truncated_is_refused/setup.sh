# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
head -c 200 ca/ca.pem >t
mv t ca/ca.pem
