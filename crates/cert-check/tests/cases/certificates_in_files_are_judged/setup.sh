# SPDX-License-Identifier: Apache-2.0
# A root, a leaf of it with its chain, a key of nobody, and a certificate that signs itself.
exec 2>/dev/null
ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $ec -subj /CN=Root -days 400 -addext keyUsage=keyCertSign,cRLSign -keyout root.key -out root.pem
openssl req $ec -subj /CN=a.test -keyout leaf.key -out leaf.csr
echo subjectAltName=DNS:a.test >leaf.ext
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -days 90 -extfile leaf.ext -out leaf.pem
cat leaf.pem root.pem >chain.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=b.test -days 90 -addext subjectAltName=DNS:c.test -keyout rsa.key -out rsa.pem
# A client's, whose authority is in a file of its own.
openssl req -x509 $ec -subj /CN=Between -CA root.pem -CAkey root.key -days 200 -keyout between.key -out between.pem
openssl req -x509 $ec -subj /CN=client -CA between.pem -CAkey between.key -days 90 -addext basicConstraints=critical,CA:FALSE \
    -addext extendedKeyUsage=clientAuth -addext subjectAltName=DNS:client.test -keyout client.key -out client.pem
