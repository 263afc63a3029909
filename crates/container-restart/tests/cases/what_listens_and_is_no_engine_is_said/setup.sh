# SPDX-License-Identifier: Apache-2.0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key -out tls.crt -subj /CN=a.test -addext subjectAltName=DNS:a.test -days 30 2>/dev/null
cat tls.crt tls.key > tls.pem
