-- A config is opened, what the server says of it is read, and nodes of a model are completed. The result is one line of
-- JSON in the file $BSLS_RESULT.
local path, result = os.getenv("BSLS_CONFIG"), os.getenv("BSLS_RESULT")

vim.cmd("edit " .. vim.fn.fnameescape(path))
vim.bo.filetype = "brainscript"
local client = vim.lsp.start_client({
  name = "bsls",
  cmd = vim.fn.json_decode(os.getenv("BSLS_COMMAND")),
  root_dir = vim.fn.fnamemodify(path, ":h"),
})
vim.lsp.buf_attach_client(0, client)

local function wait(condition)
  assert(vim.wait(20000, condition, 20), "nothing came within 20 seconds")
end

wait(function() return #vim.diagnostic.get(0) > 0 end)
local found = vim.diagnostic.get(0)[1]
local line = vim.api.nvim_buf_get_lines(0, found.lnum, found.lnum + 1, false)[1]

-- the wrong name goes, and what could stand there is asked for
vim.api.nvim_buf_set_text(0, found.lnum, found.col, found.end_lnum, found.end_col, { "" })
local params = {
  textDocument = { uri = vim.uri_from_bufnr(0) },
  position = { line = found.lnum, character = found.col },
}
local answer = vim.lsp.buf_request_sync(0, "textDocument/completion", params, 20000)
local items = answer[client].result.items or answer[client].result
local labels = {}
for _, item in ipairs(items) do table.insert(labels, item.label) end

local file = io.open(result, "w")
file:write(vim.fn.json_encode({
  message = found.message,
  marked = string.sub(line, found.col + 1, found.end_col),
  labels = labels,
}))
file:close()
vim.cmd("qall!")
