# SPDX-License-Identifier: Apache-2.0
echo old > web-1.pem
ln -s web-1.pem web.pem
