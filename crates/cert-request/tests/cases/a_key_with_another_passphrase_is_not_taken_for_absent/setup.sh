# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca web
openssl pkey -in web.key -aes256 -passout pass:right-one -out t
chmod 600 t
mv t web.key
