# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca web
openssl x509 -in web.pem -text | sed 's/$/\r/' >web.crlf
mv web.crlf web.pem
