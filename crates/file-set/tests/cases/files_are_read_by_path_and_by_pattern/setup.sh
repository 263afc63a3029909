# SPDX-License-Identifier: Apache-2.0
echo a > a.crt
mkdir -p roots/R/certs roots/R/private
echo R > roots/R/certs/R.crt
echo k > roots/R/private/R.key
