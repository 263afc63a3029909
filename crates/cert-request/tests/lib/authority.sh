# SPDX-License-Identifier: Apache-2.0
# Authorities and certificates by the openssl command line, for the cases' setup.sh:
#   . "$(dirname "$0")/../../lib/authority.sh"

# Where openssl reads nothing of the host.
export OPENSSL_CONF=/dev/null

# key PATH: an ECDSA P-256 key.
key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null
}

# extensions PATH LINE...: a file of extensions.
extensions() {
    file=$1
    shift
    printf '%s\n' "$@" >"$file"
}

# root NAME [DAYS [EXTENSION...]]: ca/NAME.{key,pem}, self-signed.
root() {
    name=$1 days=${2:-3650}
    [ $# -gt 2 ] && shift 2 || set -- basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign
    mkdir -p ca
    key "ca/$name.key"
    extensions "ca/$name.ext" subjectKeyIdentifier=hash "$@"
    openssl req -new -key "ca/$name.key" -subj "/CN=$name" -config /dev/null -out "ca/$name.csr"
    openssl x509 -req -in "ca/$name.csr" -signkey "ca/$name.key" -days "$days" \
        -extfile "ca/$name.ext" -out "ca/$name.pem" 2>/dev/null
    rm "ca/$name.csr" "ca/$name.ext"
}

# below CA NAME DAYS SUBJECT KEY EXTENSION...: NAME.pem for KEY, signed by ca/CA.
below() {
    ca=$1 name=$2 days=$3 subject=$4 own=$5
    shift 5
    extensions "$name.ext" subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "$@"
    openssl req -new -key "$own" -subj "$subject" -config /dev/null -out "$name.csr"
    openssl x509 -req -in "$name.csr" -CA "ca/$ca.pem" -CAkey "ca/$ca.key" -set_serial "0x$(openssl rand -hex 16)" \
        -days "$days" -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    rm "$name.csr" "$name.ext"
}

# intermediate CA NAME [DAYS]: ca/NAME.{key,pem} below ca/CA.
intermediate() {
    key "ca/$2.key"
    below "$1" "ca/$2" "${3:-1825}" "/CN=$2" "ca/$2.key" \
        basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=critical,keyCertSign,cRLSign
}

# server CA NAME [DAYS [NAMES]]: NAME.{key,pem} as cert_request makes them for an ECDSA key.
server() {
    key "$2.key"
    chmod 600 "$2.key"
    below "$1" "$2" "${3:-365}" "/CN=${2##*/}.example.org" "$2.key" \
        keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth,clientAuth \
        "subjectAltName=${4:-DNS:${2##*/}.example.org}"
}

# between CA NAME START END: NAME.{key,pem} as `server` makes them, with these dates (as `date -d` reads them).
between() {
    key "$2.key"
    chmod 600 "$2.key"
    mkdir db
    : >db/index
    printf '%s\n' '[ca]' default_ca=d '[d]' database=db/index new_certs_dir=db rand_serial=yes \
        default_md=sha256 policy=p unique_subject=no '[p]' commonName=supplied >db/conf
    openssl req -new -key "$2.key" -subj "/CN=${2##*/}.example.org" -config /dev/null -out db/csr
    extensions db/ext keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth,clientAuth \
        "subjectAltName=DNS:${2##*/}.example.org"
    openssl ca -batch -config db/conf -in db/csr -cert "ca/$1.pem" -keyfile "ca/$1.key" -extfile db/ext -notext \
        -startdate "$(date -u -d "$3" +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d "$4" +%Y%m%d%H%M%SZ)" \
        -out "$2.pem" 2>/dev/null
    rm -r db
}

# revoke CA NAME: ca/crl.pem, in which NAME.pem is revoked for keyCompromise.
revoke() {
    mkdir db
    : >db/index
    echo 01 >db/number
    printf '%s\n' '[ca]' default_ca=d '[d]' database=db/index crlnumber=db/number default_md=sha256 \
        default_crl_days=30 >db/conf
    openssl ca -config db/conf -cert "ca/$1.pem" -keyfile "ca/$1.key" -revoke "$2.pem" \
        -crl_reason keyCompromise 2>/dev/null
    openssl ca -config db/conf -cert "ca/$1.pem" -keyfile "ca/$1.key" -gencrl -out ca/crl.pem 2>/dev/null
    rm -r db
}
