# SPDX-License-Identifier: Apache-2.0
mkdir in
echo mine > elsewhere
ln -s ../elsewhere in/web.pem
