# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca web
openssl pkey -in web.key -aes256 -passout pass:secret -out k
mv k web.key
