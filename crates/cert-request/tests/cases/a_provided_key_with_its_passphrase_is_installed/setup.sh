# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
server ca in
openssl pkey -in in.key -aes256 -passout pass:right-one -out in.enc
rm in.key
