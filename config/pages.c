/*
 * Everything we know about the manager's pages. Facts: the templates and screens of alibaba/otter's manager/web.
 *
 * The pages are not well-formed (the <tr> of a row may be missing), so the cells of a list are cut into rows by the
 * number of headers. The page with a pipeline's progress has no headers: the meaning of a cell follows from its
 * colour and its position.
 */
#include "config/page.h"

#include <string.h>

const char *const ob_cells[OB_CELLS] = {
        [OB_CELL_TEXT] = "text",
        [OB_CELL_WHOLE] = "whole",
        [OB_CELL_NUMBER] = "number",
        [OB_CELL_DURATION] = "duration",
        [OB_CELL_WORD] = "word",
        [OB_CELL_DATE] = "date",
        [OB_CELL_AGE] = "age",
        [OB_CELL_LAG] = "lag",
};

static const struct ob_word channel_words[] = { { "停止", 0 }, { "挂起", 1 }, { "运行", 2 }, { NULL } };
static const struct ob_word mainstem_words[] = { { "未工作", 0 }, { "定位中", 1 }, { "工作中", 2 }, { NULL } };
static const struct ob_word node_words[] = { { "未启动", 0 }, { "已启动", 1 }, { NULL } };
static const struct ob_word home_words[] = { { "false", 0 }, { "true", 1 }, { NULL } };

/* The id in the address of the page: the last breadcrumb links to the page itself. */
#define OWN_ID "substring-after(//div[@class='crumbs']/a[last()]/@href, '=')"

/* A row for each process in flight; the last cell of such a row holds the total time. */
#define PROCESS "//tr[td[last()][contains(., '总时间:')]]"

/* XPath 1.0 has no "if": the text when the condition holds, and "" otherwise. */
#define WHERE(condition, text, length) "substring('" text "', 1, " length " * (" condition "))"
#define COLOUR(colour)                 "contains(@style, '#" colour "')"

/* A cell of a stage. Its colour says which stage is done, or that a stage is running. */
#define STAGE                                                                                                      \
        "td[(" COLOUR("D9B300") " or " COLOUR("FFC1E0") " or " COLOUR("4DFFFF") " or " COLOUR(                     \
                "79FF79") " or " COLOUR("FF2D2D") ") and normalize-space(.) != '']"

/* The colour of a running stage does not say which stage it is: it is the stage after all that are done. */
#define STAGE_NAME                                                                                                 \
        "concat(" WHERE(COLOUR("D9B300"), "SELECT", "6") ", " WHERE(COLOUR("FFC1E0"), "EXTRACT", "7") ", " WHERE(  \
                COLOUR("4DFFFF"), "TRANSFORM", "9") ", " WHERE(COLOUR("79FF79"), "LOAD",                           \
                "4") ", substring('SELECT   EXTRACT  TRANSFORMLOAD     ', 1 + 9 * count(preceding-sibling::" STAGE \
                     "), "                                                                                         \
                     "9 * " COLOUR("FF2D2D") "))"

/* The rest of the line in a cell's title that begins with a word. */
#define IN_TITLE(word) "substring-before(concat(substring-after(@title, '" word ":'), '\n'), '\n')"

#define POSITION "//div[@id='contentid-position']"

/* A number in the JSON of the position. */
#define IN_POSITION(key)                                                                                           \
        "substring-before(concat(translate(substring-after(" POSITION ", '\"" key "\":'), '}', ','), ','), ',')"

const struct ob_page ob_builtin_pages[] = {
        {
                .name = "channels",
                .address = "channelList.htm?pageIndex={}",
                .heading = "Channel管理",
                .is_long = true,
                .n_columns = 5,
                .columns = {
                        { "channel_id", OB_CELL_WHOLE, "序号" },
                        { "channel_name", OB_CELL_TEXT, "Channel名字" },
                        { "status", OB_CELL_WORD, "运行状态", .words = channel_words },
                        { "status_text", OB_CELL_TEXT, "运行状态" },
                        { "direction", OB_CELL_TEXT, "同步方向" },
                },
        },
        {
                .name = "pipelines",
                .address = "pipelineList.htm?channelId={}",
                .heading = "Pipeline管理",
                .each = { .page = "channels", .column = "channel_id" },
                .n_columns = 17,
                .columns = {
                        { "channel_id", OB_CELL_WHOLE, NULL, OWN_ID, .is_of_page = true },
                        { "pipeline_id", OB_CELL_WHOLE, "序号" },
                        { "pipeline_name", OB_CELL_TEXT, "Pipeline名字", ".//a" },
                        { "description", OB_CELL_TEXT, "Pipeline名字", ".//div[@class='pop_tips_font']" },
                        { "parallelism", OB_CELL_WHOLE, "并行度" },
                        { "home", OB_CELL_WORD, "主站点", .words = home_words },
                        { "mainstem", OB_CELL_WORD, "mainstem状态", .words = mainstem_words },
                        { "mainstem_text", OB_CELL_TEXT, "mainstem状态" },
                        { "delay_ms", OB_CELL_DURATION, "延迟时间" },
                        { "delay_text", OB_CELL_TEXT, "延迟时间" },
                        { "last_sync", OB_CELL_TEXT, "最后同步时间" },
                        { "last_sync_epoch", OB_CELL_DATE, "最后同步时间" },
                        { "last_sync_age_s", OB_CELL_AGE, "最后同步时间" },
                        { "last_position", OB_CELL_TEXT, "最后位点时间" },
                        { "last_position_epoch", OB_CELL_DATE, "最后位点时间" },
                        { "last_position_age_s", OB_CELL_AGE, "最后位点时间" },
                        { "alarm_rules", OB_CELL_WHOLE, "监控数" },
                },
        },
        {
                .name = "nodes",
                .address = "nodeList.htm?pageIndex={}",
                .heading = "机器管理",
                .is_long = true,
                .n_columns = 7,
                .columns = {
                        { "node_id", OB_CELL_WHOLE, "序号" },
                        { "node_name", OB_CELL_TEXT, "机器名字", ".//a" },
                        { "description", OB_CELL_TEXT, "机器名字", ".//div[@class='pop_tips_font']" },
                        { "ip", OB_CELL_TEXT, "IP", "substring-before(concat(normalize-space(.), ' '), ' ')" },
                        { "external", OB_CELL_WHOLE, "IP", "number(contains(., '(外)'))" },
                        { "port", OB_CELL_WHOLE, "端口" },
                        { "status", OB_CELL_WORD, "状态", .words = node_words },
                },
        },
        {
                .name = "progress",
                .address = "analysisStageStat.htm?pipelineId={}",
                .heading = "同步进度",
                .rows = "//table[.//td[starts-with(normalize-space(.), 'mainstem状态')]]",
                .each = { .page = "pipelines", .column = "pipeline_id", .where = "mainstem", .number = 2 },
                .n_columns = 7,
                .columns = {
                        { "pipeline_id", OB_CELL_WHOLE, NULL, OWN_ID, .is_of_page = true },
                        { "mainstem", OB_CELL_WORD, NULL,
                                "substring-before(concat(normalize-space(.//tr[1]/td[2]), ' '), ' ')",
                                mainstem_words },
                        { "mainstem_nid", OB_CELL_WHOLE, NULL,
                                "substring-before(substring-after(.//tr[1]/td[2], 'node : '), ' ')" },
                        { "position_modified", OB_CELL_TEXT, NULL,
                                "substring(substring-after(., '最后更新时间 : '), 1, 19)" },
                        { "position_json", OB_CELL_TEXT, NULL, POSITION, .is_of_page = true },
                        { "binlog_lag_ms", OB_CELL_LAG, NULL, IN_POSITION("timestamp"), .is_of_page = true },
                        { "in_flight", OB_CELL_WHOLE, NULL, "count(" PROCESS ")", .is_of_page = true },
                },
        },
        {
                .name = "processes",
                .address = "analysisStageStat.htm?pipelineId={}",
                .heading = "同步进度",
                .rows = PROCESS,
                .each = { .page = "pipelines", .column = "pipeline_id", .where = "mainstem", .number = 2 },
                .n_columns = 3,
                .columns = {
                        { "pipeline_id", OB_CELL_WHOLE, NULL, OWN_ID, .is_of_page = true },
                        { "process_id", OB_CELL_WHOLE, NULL, "td[1]" },
                        { "total_ms", OB_CELL_WHOLE, NULL, "substring-after(td[last()], '总时间:')" },
                },
        },
        {
                .name = "stages",
                .address = "analysisStageStat.htm?pipelineId={}",
                .heading = "同步进度",
                .rows = PROCESS "/" STAGE,
                .each = { .page = "pipelines", .column = "pipeline_id", .where = "mainstem", .number = 2 },
                .n_columns = 7,
                .columns = {
                        { "pipeline_id", OB_CELL_WHOLE, NULL, OWN_ID, .is_of_page = true },
                        { "process_id", OB_CELL_WHOLE, NULL, "../td[1]" },
                        { "stage", OB_CELL_TEXT, NULL, STAGE_NAME },
                        { "ms", OB_CELL_WHOLE, NULL, "." },
                        { "running", OB_CELL_WHOLE, NULL, "number(" COLOUR("FF2D2D") ")" },
                        { "number", OB_CELL_WHOLE, NULL, IN_TITLE("number") },
                        { "size", OB_CELL_WHOLE, NULL, IN_TITLE("size") },
                },
        },
        {
                .name = "top",
                .address = "analysisTopStat.htm?topN=100000&statTime=1&searchKey=",
                .heading = "同步TOPN",
                .n_columns = 13,
                .columns = {
                        { "rank", OB_CELL_WHOLE, "TOP" },
                        { "channel_id", OB_CELL_WHOLE, "Channel名字", "substring-after(.//a/@href, 'channelId=')" },
                        { "channel_name", OB_CELL_TEXT, "Channel名字" },
                        { "pipeline_id", OB_CELL_WHOLE, "Pipeline信息", "substring-after(.//a/@href, 'pipelineId=')" },
                        { "pipeline_name", OB_CELL_TEXT, "Pipeline信息" },
                        { "delay_ms", OB_CELL_DURATION, "延迟时间" },
                        { "last_update_age_s", OB_CELL_WHOLE, "最后采集间隔",
                                "substring-before(normalize-space(.), ' s')" },
                        { "db_number", OB_CELL_WHOLE, "DB数量" },
                        { "db_size_text", OB_CELL_TEXT, "DB大小" },
                        { "file_number", OB_CELL_WHOLE, "文件数量" },
                        { "file_size_text", OB_CELL_TEXT, "文件大小" },
                        { "channel_status", OB_CELL_WORD, "channel状态", .words = channel_words },
                        { "mainstem", OB_CELL_WORD, "pipeline状态", .words = mainstem_words },
                },
        },
        {
                .name = "pairs",
                .address = "dataMediaPairList.htm?pipelineId={}",
                .heading = "映射关系列表",
                .each = { .page = "pipelines", .column = "pipeline_id" },
                .n_columns = 11,
                .columns = {
                        { "pipeline_id", OB_CELL_WHOLE, NULL, OWN_ID, .is_of_page = true },
                        { "pair_id", OB_CELL_WHOLE, "序号" },
                        { "source", OB_CELL_TEXT, "源表" },
                        { "target", OB_CELL_TEXT, "目标表" },
                        { "weight", OB_CELL_WHOLE, "权重" },
                        { "file_size_text", OB_CELL_TEXT, "FileSize" },
                        { "file_count", OB_CELL_WHOLE, "FileCount" },
                        { "delete_count", OB_CELL_WHOLE, "DeleteCount" },
                        { "update_count", OB_CELL_WHOLE, "UpdateCount" },
                        { "insert_count", OB_CELL_WHOLE, "InsertCount" },
                        { "last_sync", OB_CELL_TEXT, "最后同步时间" },
                },
        },
};

const unsigned ob_n_builtin_pages = sizeof(ob_builtin_pages) / sizeof(*ob_builtin_pages);

const struct ob_page *ob_page_find(const struct ob_page *pages, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (!strcmp(pages[i].name, name))
                        return &pages[i];
        return NULL;
}

bool ob_page_has_headers(const struct ob_page *page)
{
        for (unsigned c = 0; c < page->n_columns; c++)
                if (page->columns[c].header)
                        return true;
        return false;
}

int ob_page_column(const struct ob_page *page, const char *name)
{
        for (unsigned i = 0; i < page->n_columns; i++)
                if (!strcmp(page->columns[i].name, name))
                        return (int)i;
        return -1;
}
