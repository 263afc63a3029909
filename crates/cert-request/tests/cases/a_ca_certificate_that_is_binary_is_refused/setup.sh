# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
head -c 300 /dev/zero >ca/ca.pem
