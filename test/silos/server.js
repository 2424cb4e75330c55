// SPDX-License-Identifier: GPL-2.0-or-later
// A server of one page.
require("node:http")
	.createServer((request, response) => response.end(`hello from node, you asked for ${request.url}\n`))
	.listen(8080, "127.0.0.1");
