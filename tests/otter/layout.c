#include "tests/otter/layout.h"

#include "proto/memory.h"
#include "tests/otter/figures.h"
#include "tests/otter/template.h"

static const char head[] =
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\""
        " \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
        "<html xmlns=\"http://www.w3.org/1999/xhtml\">\n"
        "<head>\n"
        "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\" />\n"
        "<title>Otter Manager</title>\n"
        "<link type=\"text/css\" href=\"css/otter.css\" rel=\"stylesheet\"/>\n"
        "</head>\n"
        "<body>\n"
        "\n"
        "<!--页面头部-->\n"
        "<div class=\"head\">\n"
        "  <div class=\"head_right\">\n"
        "\t<div class=\"exit\"><a href=\"$site/?action=userAction&amp;eventSubmitDoLogout=true\">"
        "<img src=\"images/exit.png\" width=\"14\" height=\"19\" /></a></div>\n"
        "    <span>$viewer ，欢迎您进入！</span>\n"
        "  </div>\n"
        "</div>\n"
        "\n"
        "<div class=\"nav\">\n"
        "   <ul>\n"
        "    <li id=\"sync\"><a href=\"$site/channel_list.htm\">同步管理</a></li>\n"
        "\t<li id=\"node\" class=\"sub_nav\"><a href=\"#\">机器管理</a>\n"
        "\t\t<ul>\n"
        "    \t\t<li><a href=\"$site/node_list.htm\">Node管理</a></li>\n"
        "\t\t</ul>\n"
        "\t</li>\n"
        "\t<li id=\"record\" class=\"sub_nav\"><a href=\"#\">监控管理</a>\n"
        "\t\t<ul>\n"
        "\t\t\t<li><a href=\"$site/log_record_list.htm\">日志记录</a></li>\n"
        "\t\t\t<li><a href=\"$site/analysis_top_stat.htm?topN=15&statTime=1&searchKey=\">同步TOP</a></li>\n"
        "        </ul>\n"
        "\t</li>\n"
        "   </ul>\n"
        "</div>\n"
        "\n"
        "<script language=\"javascript\">\n"
        "<!--\n"
        "\t\tfunction changeDisplay(id , action) {\n"
        "    \t\tvar trs = $(\"tr[class='\" + id +\"']\");   \n"
        "            for(i = 0; i < trs.length; i++){     \n"
        "                    trs[i].style.display = action;\n"
        "            }  \n"
        "    \t}\n"
        "//-->\n"
        "</script>\n";

static const char foot[] = "\n"
                           "<!--页脚-->\n"
                           "<div class=\"footer\">\n"
                           " <span>Copyright&nbsp;@&nbsp;2012-2018&nbsp;· 版权所有</span>\n"
                           " <div align=\"center\">\n"
                           "     <font color=\"#ffffff\">fake-otter</font>\n"
                           " </div>\n"
                           "</div>\n"
                           "</body>\n"
                           "</html>";

static const char error_screen[] = "\n"
                                   "<div class=\"main\">\n"
                                   "<div class=\"title\">\n"
                                   "对不起，你请求的链接出问题了，可能是超时，没事多刷新一次吧！\n"
                                   "</div>\n"
                                   "</div>\n";

void fo_layout_add_screen(const struct fo_visit *visit, const char *template, struct fo_text *screen)
{
        const struct fo_value values[] = { { .name = "site", .value = visit->site->address, .raw = true }, { 0 } };

        fo_template_add(screen, template, values);
}

void fo_layout_add(const struct fo_visit *visit, const struct fo_text *screen, struct fo_text *out)
{
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "viewer", .value = visit->viewer[0] ? visit->viewer : "  匿名用户" },
                { 0 },
        };

        fo_template_add(out, head, values);
        fo_template_add_dos(out, screen);
        fo_text_add(out, foot);
}

void fo_layout_fail(const struct fo_visit *visit, struct fo_answer *answer, unsigned status)
{
        ob_cleanup(fo_text_fini) struct fo_text screen = { 0 };

        answer->status = status;
        fo_text_clear(&answer->body);
        fo_text_add(&screen, error_screen);
        fo_layout_add(visit, &screen, &answer->body);
}

struct fo_paging fo_paging_of(const struct fo_visit *visit, int64_t rows)
{
        struct fo_paging paging = {
                .rows = rows,
                .page = fo_visit_number(visit, "pageIndex", 1),
                .pages = (rows + FO_ROWS_A_PAGE - 1) / FO_ROWS_A_PAGE,
        };

        if (paging.page < 1)
                paging.page = 1;
        if (paging.page > paging.pages)
                paging.page = paging.pages;
        return paging;
}

static void add_link(struct fo_text *screen, int64_t page, bool live, const char *text)
{
        char number[FO_FIGURE_SIZE];
        const struct fo_value values[] = {
                { .name = "page", .value = fo_figure_plain(number, page) },
                { .name = "text", .value = text },
                { 0 },
        };

        fo_template_add(screen,
                live ? "\t   \t\t\t<a href=\"#\" class=\"prev\" onclick=\"pageNavigation(this,$page)\">$text</a>\n"
                     : "\t               <font color=\"999999\">$text</font>\n",
                values);
}

static void add_numbers(const struct fo_paging *paging, struct fo_text *screen)
{
        enum { AROUND = 3 };

        for (int64_t page = paging->page - AROUND; page <= paging->page + AROUND; page++) {
                char number[FO_FIGURE_SIZE];
                const struct fo_value values[] = { { .name = "page", .value = fo_figure_plain(number, page) },
                        { 0 } };

                if (page < 1 || page > paging->pages)
                        continue;
                fo_template_add(screen,
                        page == paging->page
                                ? "\t                <b>$page</b>\n"
                                : "\t\t\t<a href=\"#\" class=\"num\" onclick=\"pageNavigation(this,$page)\">$page</a> \n",
                        values);
        }
}

void fo_paging_add(const struct fo_paging *paging, struct fo_text *screen)
{
        char rows[FO_FIGURE_SIZE];
        char page[FO_FIGURE_SIZE];
        char pages[FO_FIGURE_SIZE];
        const struct fo_value values[] = {
                { .name = "rows", .value = fo_figure_plain(rows, paging->rows) },
                { .name = "page", .value = fo_figure_plain(page, paging->page) },
                { .name = "pages", .value = fo_figure_plain(pages, paging->pages) },
                { 0 },
        };

        fo_template_add(screen,
                "     <!--分页-->\n"
                "     <div class=\"page\">共$rows条数据&nbsp;&nbsp;第$page页/共$pages页&nbsp;&nbsp; \n       \n",
                values);
        add_link(screen, 1, paging->page != 1, "首页");
        add_link(screen, paging->page - 1, paging->page > 1, "上一页");
        add_numbers(paging, screen);
        add_link(screen, paging->page + 1, paging->page < paging->pages, "下一页");
        add_link(screen, paging->pages, paging->page < paging->pages, "末页");
        fo_text_add(screen, "\t        </div>    \n");
}
