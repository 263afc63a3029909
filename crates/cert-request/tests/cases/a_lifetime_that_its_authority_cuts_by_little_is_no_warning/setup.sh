# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca 397
