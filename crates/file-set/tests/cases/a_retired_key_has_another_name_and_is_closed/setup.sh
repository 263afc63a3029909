# SPDX-License-Identifier: Apache-2.0
printf '%s' '-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgexample0example0ex
-----END PRIVATE KEY-----
' > old.key
chmod 0644 old.key
