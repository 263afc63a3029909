# SPDX-License-Identifier: Apache-2.0
printf '%s' '-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgexample0example0ex
-----END PRIVATE KEY-----
' > web.key
chmod 0666 web.key
