# SPDX-License-Identifier: Apache-2.0
mkdir -p tree/roots/Root/csr tree/roots/Root/private tree/roots/Root/certs tree/certs/csr tree/certs/certs tree/certs/private
chmod 0700 tree/roots/Root/private tree/roots/Root/csr
cd tree/roots/Root || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout private/Root.key.pem -out certs/Root-1000.crt -subj /CN=Root -days 20 -addext keyUsage=keyCertSign,cRLSign 2>/dev/null
chmod 0600 private/Root.key.pem
ln -s Root-1000.crt certs/Root.crt
ln -s Root.crt certs/Root-chain.crt
printf 1000 > serial
cd ../../.. || exit 1
