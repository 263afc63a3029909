# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
openssl pkey -in ca/ca.key -aes256 -passout pass:another -out k
mv k ca/ca.key
