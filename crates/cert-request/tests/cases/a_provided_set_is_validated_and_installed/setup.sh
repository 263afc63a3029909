# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../lib/authority.sh"
root root
mkdir in
root ca
server ca in/web 365 DNS:web.example.org
