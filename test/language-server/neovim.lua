-- Drives the language server from Neovim's own client, and writes what the editor has afterwards as JSON.
local node, cli, out = vim.env.GUNYAH_NODE, vim.env.GUNYAH_CLI, vim.env.GUNYAH_OUT
local result = {}

local function finish()
  vim.fn.writefile({ vim.fn.json_encode(result) }, out)
  vim.cmd('qall!')
end

local function ask(method, params)
  local answers, problem = vim.lsp.buf_request_sync(0, method, params, 20000)
  if answers == nil then return { problem = tostring(problem) } end
  for _, answer in pairs(answers) do return answer.result end
end

local function at(line, character)
  return { textDocument = vim.lsp.util.make_text_document_params(), position = { line = line, character = character } }
end

local ok, problem = pcall(function()
  vim.cmd('edit board.dts')
  local id = vim.lsp.start_client({ name = 'gunyah', cmd = { node, cli, 'dt', 'lsp' }, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(0, id)
  vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 50)
  for _, one in ipairs(vim.diagnostic.get(0)) do
    result.diagnostics = result.diagnostics or {}
    table.insert(result.diagnostics, { line = one.lnum, column = one.col, message = one.message, source = one.source })
  end
  result.hover = ask('textDocument/hover', at(11, 2))
  result.definition = ask('textDocument/definition', at(11, 2))
  result.symbols = ask('textDocument/documentSymbol', { textDocument = vim.lsp.util.make_text_document_params() })
  -- Mend the mistake by what the server offers for it: the diagnostics must go.
  local range = { start = { line = 8, character = 12 }, ['end'] = { line = 8, character = 17 } }
  local actions = ask('textDocument/codeAction', { textDocument = vim.lsp.util.make_text_document_params(), range = range, context = { diagnostics = {} } })
  result.actions = vim.tbl_map(function(action) return action.title end, actions)
  vim.lsp.util.apply_workspace_edit(actions[1].edit, 'utf-16')
  result.mended = vim.wait(30000, function() return #vim.diagnostic.get(0) == 0 end, 50)
  result.fixed = vim.api.nvim_buf_get_lines(0, 8, 9, false)
  -- Complete a label that is typed in part.
  vim.api.nvim_buf_set_lines(0, 8, 9, false, { '\t\tserial = <&ua>;' })
  local list = ask('textDocument/completion', at(8, 15))
  result.completion = vim.tbl_map(function(item) return item.word end, vim.lsp.util.text_document_completion_list_to_complete_items(list, 'ua'))
  -- The editor's menu needs a keyboard; what choosing an entry does to the text needs none.
  for _, item in ipairs(list.items or list) do
    if item.label == 'uart0' then vim.lsp.util.apply_text_edits({ item.textEdit }, 0, 'utf-16') end
  end
  result.completed = vim.api.nvim_buf_get_lines(0, 8, 9, false)
  local edit = ask('textDocument/rename', vim.tbl_extend('force', at(11, 2), { newName = 'console' }))
  vim.lsp.util.apply_workspace_edit(edit, 'utf-16')
  result.renamed = vim.api.nvim_buf_get_lines(0, 8, 12, false)
  vim.lsp.buf.formatting_sync(nil, 20000)
  result.formatted = vim.api.nvim_buf_get_lines(0, 0, -1, false)
end)
if not ok then result.problem = tostring(problem) end
finish()
