# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root ca
mkdir db
: >db/index
printf "[ca]\ndefault_ca=d\n[d]\ndatabase=db/index\nnew_certs_dir=db\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n" >db/conf
openssl req -new -key ca/ca.key -subj /CN=ca -config /dev/null -out ca.csr
extensions ca.ext basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign
openssl ca -batch -selfsign -config db/conf -in ca.csr -keyfile ca/ca.key -startdate 20990101000000Z -enddate 20991231000000Z -extfile ca.ext -notext -out ca/ca.pem 2>/dev/null
