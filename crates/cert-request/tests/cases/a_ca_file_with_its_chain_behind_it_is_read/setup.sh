# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root root
intermediate root ca
cat ca/root.pem >>ca/ca.pem
