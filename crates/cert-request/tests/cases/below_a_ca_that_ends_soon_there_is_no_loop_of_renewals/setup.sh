# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca 10
between ca web "-40 days" "$(openssl x509 -in ca/ca.pem -noout -enddate | cut -d= -f2)"
